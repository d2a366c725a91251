/* Sends the files of a release by the API: dropped or chosen, folders too, several at once, in parts. It goes on where
   it stopped when the connection breaks, and, once the same files are chosen again, after the browser was closed.
   Without it the form sends them whole. */
(function () {
  "use strict"

  const PART_BYTES = 8 * 1024 * 1024
  const FILES_AT_ONCE = 2
  const PARTS_AT_ONCE = 3
  const LONGEST_WAIT_SECONDS = 30
  const form = document.querySelector("form[data-uploads]")
  if (!form || !window.fetch || !window.crypto) return
  const words = form.dataset
  const list = document.getElementById("progress")
  const button = form.querySelector("button[data-send]")
  const pauseButton = form.querySelector("button[data-pause]")
  const sums = form.querySelector("textarea[name=sums]")
  const jobs = []
  let isPaused = false
  let goOn = []

  class Broken extends Error {}
  class Cancelled extends Error {}

  // --- what is remembered over a restart of the browser: which upload belongs to which file ----------------------

  const SHELF = "uploads " + words.uploads
  const shelf = () => {
    try { return JSON.parse(localStorage.getItem(SHELF)) || {} } catch (_) { return {} }
  }
  function remember (job, place) {
    const all = shelf()
    if (place) all[job.fingerprint] = place
    else delete all[job.fingerprint]
    try { localStorage.setItem(SHELF, JSON.stringify(all)) } catch (_) { /* a full shelf only costs the resuming */ }
  }

  // --- asking ----------------------------------------------------------------------------------------------------

  function newKey () {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, "0")).join("")
  }

  /* The answer, also 404 and 409; throws Broken when it should be asked again, and the refusal's words when refused. */
  async function ask (method, url, headers, body, signal) {
    const token = form.querySelector("input[name=csrfmiddlewaretoken]").value
    let answer
    try {
      const told = { "X-CSRFToken": token, Organisation: words.organisation, ...headers }
      answer = await fetch(url, { method, body, signal, headers: told })
    } catch (error) {
      throw error.name === "AbortError" ? new Cancelled() : new Broken()
    }
    if (answer.ok || answer.status === 404 || answer.status === 409) return answer
    if (answer.status >= 500 && answer.status !== 507) throw new Broken()
    if (answer.status === 429) throw new Broken()
    throw new Error(await reason(answer))
  }

  async function reason (answer) {
    const refusal = await answer.json().catch(() => ({ detail: String(answer.status), next: "" }))
    return refusal.detail + " " + refusal.next
  }

  /* Ask until there is an answer, ever more seldom. */
  async function patiently (job, asking) {
    for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_WAIT_SECONDS)) {
      await running(job)
      try {
        return await asking()
      } catch (error) {
        if (!(error instanceof Broken)) throw error
        job.say(words.waiting)
        await new Promise(resolve => setTimeout(resolve, 1000 * pause * (0.75 + Math.random() / 2)))
      }
    }
  }

  /* Goes by at once unless all is paused; throws when the file was cancelled. */
  async function running (job) {
    if (isPaused) {
      job.say(words.paused)
      await new Promise(resolve => goOn.push(resolve))
    }
    if (job.isCancelled) throw new Cancelled()
  }

  // --- one file --------------------------------------------------------------------------------------------------

  function add (file, path) {
    const fingerprint = [path, file.size, file.lastModified].join("\u0000")
    if (jobs.some(job => job.fingerprint === fingerprint && !job.isOver)) return
    const item = document.createElement("li")
    const bar = document.createElement("progress")
    const said = document.createElement("span")
    const cancel = document.createElement("button")
    item.className = "row"
    item.dataset.path = path
    bar.max = file.size || 1
    bar.value = 0
    bar.setAttribute("aria-label", path)
    said.className = "small soft"
    said.textContent = words.ready
    cancel.type = "button"
    cancel.className = "button button-small"
    cancel.textContent = words.cancel
    item.append(Object.assign(document.createElement("code"), { textContent: path }), bar, said, cancel)
    list.append(item)
    const job = {
      file, path, fingerprint, bar, item, place: "", isCancelled: false, isOver: false, stop: new AbortController(),
      say (text) { said.textContent = text },
      show (bytes) {
        bar.value = bytes
        said.textContent = Math.floor(100 * bytes / file.size) + " %"
      }
    }
    cancel.addEventListener("click", () => {
      job.isCancelled = true
      job.stop.abort()
      if (job.place) ask("DELETE", job.place, {}).catch(() => {})
      remember(job, null)
      item.remove()
      if (!job.isOver && !jobs.some(one => one !== job && !one.isOver)) job.isOver = true
    })
    jobs.push(job)
    button.disabled = false
  }

  /* Where the file goes: on with what arrived before, or announced anew. */
  async function begin (job, expected) {
    const known = shelf()[job.fingerprint]
    if (known) {
      const answer = await patiently(job, () => ask("GET", known, {}))
      const told = answer.status === 200 ? await answer.json() : {}
      if (told.state === "arriving" && told.size_bytes === job.file.size && told.path === job.path) {
        job.place = known
        job.say(words.resumed)
        return told
      }
      remember(job, null)
    }
    const headers = { "Content-Type": "application/json", "Idempotency-Key": newKey() }
    const announced = JSON.stringify({ path: job.path, size_bytes: job.file.size, sha256: expected, in_parts: true })
    const answer = await patiently(job, () => ask("POST", words.uploads, headers, announced))
    if (!answer.ok) throw new Error(await reason(answer))
    job.place = answer.headers.get("Location")
    remember(job, job.place)
    return answer.json()
  }

  async function byOffset (job, offset) {
    while (offset < job.file.size) {
      const part = job.file.slice(offset, offset + PART_BYTES)
      const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) }
      offset = await patiently(job, async () => {
        let answer
        try {
          answer = await ask("PATCH", job.place, headers, part, job.stop.signal)
        } catch (error) {
          if (!(error instanceof Broken)) throw error
          const stands = await ask("HEAD", job.place, {})
          if (stands.status === 404) return job.file.size // it has ended: the page then shows how
          if (Number(stands.headers.get("Upload-Offset")) === offset) throw error
          return Number(stands.headers.get("Upload-Offset"))
        }
        if (answer.status === 404) return job.file.size
        if (answer.status !== 409) return Number(answer.headers.get("Upload-Offset"))
        const refusal = await answer.clone().json()
        if (refusal.code === "upload_busy") throw new Broken()
        if (refusal.code !== "wrong_offset") throw new Error(await reason(answer))
        return Number((await ask("HEAD", job.place, {})).headers.get("Upload-Offset"))
      })
      job.show(offset)
    }
  }

  /* One part, to the store: it knows no token of ours, and tells nothing but whether it took it. */
  function put (job, part, partBytes, shown) {
    const first = (part.number - 1) * partBytes
    return new Promise((resolve, reject) => {
      const line = new XMLHttpRequest()
      const stop = () => line.abort()
      job.stop.signal.addEventListener("abort", stop, { once: true })
      line.open("PUT", part.url)
      line.upload.addEventListener("progress", event => shown(part.number, event.loaded))
      line.addEventListener("load", () => line.status === 200 ? resolve() : reject(new Broken()))
      line.addEventListener("error", () => reject(new Broken()))
      line.addEventListener("abort", () => reject(new Cancelled()))
      line.addEventListener("loadend", () => job.stop.signal.removeEventListener("abort", stop))
      line.send(job.file.slice(first, first + part.size_bytes))
    })
  }

  async function inParts (job, partBytes) {
    const loaded = new Map()
    const shown = (number, bytes) => {
      loaded.set(number, bytes)
      job.show(Math.min(job.file.size, Array.from(loaded.values()).reduce((sum, one) => sum + one, 0)))
    }
    for (;;) {
      const isWhole = await patiently(job, async () => {
        const told = await (await ask("GET", job.place + "/parts", {})).json()
        loaded.clear()
        told.arrived.forEach(number => shown(number, Math.min(partBytes, job.file.size - (number - 1) * partBytes)))
        const queue = told.missing
        const takeParts = async () => {
          for (let part = queue.shift(); part; part = queue.shift()) {
            await running(job)
            await put(job, part, partBytes, shown)
          }
        }
        const hands = Array.from({ length: PARTS_AT_ONCE }, takeParts)
        const ends = await Promise.allSettled(hands)
        const failed = ends.find(end => end.status === "rejected")
        if (failed) throw failed.reason
        return !told.missing.length && told.arrived.length === told.count
      })
      if (isWhole) break
    }
    const key = { "Idempotency-Key": newKey() }
    const answer = await patiently(job, () => ask("POST", job.place + "/completion", key))
    if (!answer.ok) throw new Error(await reason(answer))
  }

  async function send (job, expected) {
    try {
      const told = await begin(job, expected)
      if (told.part_bytes) await inParts(job, told.part_bytes)
      else await byOffset(job, told.offset)
      remember(job, null)
      job.bar.value = job.file.size
      job.say(words.arrived)
      job.item.querySelector("button").remove()
      return true
    } catch (error) {
      if (error instanceof Cancelled) return true
      remember(job, null)
      job.say(error.message)
      job.item.classList.add("errors")
      return false
    } finally {
      job.isOver = true
    }
  }

  // --- checksums -------------------------------------------------------------------------------------------------

  /* Digests by path, from what `sha256sum` writes; a path may be given without its folders where that is plain. */
  function read (text) {
    const found = new Map()
    for (const line of text.split(/\r?\n/)) {
      const gnu = /^\\?([0-9a-fA-F]{64}) [ *](.+)$/.exec(line)
      const bsd = /^SHA256 \((.+)\) = ([0-9a-fA-F]{64})$/.exec(line)
      if (gnu) found.set(gnu[2].replace(/^\.\//, ""), gnu[1].toLowerCase())
      else if (bsd) found.set(bsd[1].replace(/^\.\//, ""), bsd[2].toLowerCase())
    }
    return found
  }

  function expectedOf (job, digests) {
    for (let path = job.path; path; path = path.includes("/") ? path.slice(path.indexOf("/") + 1) : "") {
      if (digests.has(path.normalize("NFC"))) return digests.get(path.normalize("NFC"))
      if (digests.has(path)) return digests.get(path)
    }
    return ""
  }

  // --- choosing --------------------------------------------------------------------------------------------------

  function take (file, path) {
    const name = path.split("/").pop()
    if (name === ".DS_Store" || name === "Thumbs.db") return
    if (name.toLowerCase() === "sha256sums") file.text().then(text => { sums.value = (sums.value + "\n" + text).trim() })
    else add(file, path)
  }

  async function walk (entry, folder) {
    const path = folder ? folder + "/" + entry.name : entry.name
    if (entry.isFile) {
      take(await new Promise((resolve, reject) => entry.file(resolve, reject)), path)
      return
    }
    const reader = entry.createReader()
    for (;;) { // a folder is read by the hundred
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
      if (!some.length) return
      for (const one of some) await walk(one, path)
    }
  }

  const inputs = Array.from(form.querySelectorAll("input[type=file]"))
  for (const input of inputs) {
    input.closest(".field").hidden = false
    input.addEventListener("change", () => {
      for (const file of input.files) take(file, file.webkitRelativePath || file.name)
      input.value = ""
    })
    input.required = false
  }
  const zone = form.querySelector("[data-drop]")
  zone.hidden = false
  for (const kind of ["dragenter", "dragover"]) {
    form.addEventListener(kind, event => {
      event.preventDefault()
      zone.classList.add("is-over")
    })
  }
  for (const kind of ["dragleave", "drop"]) form.addEventListener(kind, () => zone.classList.remove("is-over"))
  form.addEventListener("drop", async event => {
    event.preventDefault()
    const items = Array.from(event.dataTransfer.items || [])
    const entries = items.map(item => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean)
    if (!entries.length) for (const file of event.dataTransfer.files) take(file, file.name)
    for (const entry of entries) await walk(entry, "")
  })

  // --- sending ---------------------------------------------------------------------------------------------------

  pauseButton.addEventListener("click", () => {
    isPaused = !isPaused
    pauseButton.textContent = isPaused ? words.goOn : words.pause
    if (isPaused) return
    goOn.forEach(resolve => resolve())
    goOn = []
  })

  form.addEventListener("submit", async event => {
    event.preventDefault()
    const waiting = jobs.filter(job => !job.isOver && !job.isCancelled)
    if (!waiting.length) return
    button.disabled = true
    pauseButton.hidden = false
    document.body.dataset.sending = "yes"
    const digests = read(sums.value)
    const results = []
    const sendNext = async () => {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        if (!job.isCancelled) results.push(await send(job, expectedOf(job, digests)))
      }
    }
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, sendNext))
    delete document.body.dataset.sending
    pauseButton.hidden = true
    if (results.every(Boolean)) window.location.reload()
  })
  window.addEventListener("beforeunload", event => {
    if (document.body.dataset.sending) event.preventDefault()
  })
})()
