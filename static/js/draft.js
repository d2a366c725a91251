/* Saves a manual's draft while one types, shows what is then left, and draws the preview anew. Without this script the
   button saves, and the page says the same. */
(function () {
  "use strict"

  const form = document.querySelector("form[data-draft]")
  if (!form || !window.fetch) return
  const PAUSE_MS = 1500
  const said = form.querySelector("[data-said]")
  const preview = document.querySelector("[data-preview]")
  const frame = preview.querySelector("iframe")
  let isChanged = false // since the last save began
  let isStopped = false // the draft was changed elsewhere, or may no longer be changed
  let isSaving = false
  let timer = null
  let saving = Promise.resolve()

  function drawAnew () {
    if (!preview.open || !frame.contentWindow) return
    const at = frame.contentWindow.scrollY
    frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, at), { once: true })
    frame.contentWindow.location.reload()
  }

  function mark (errors) {
    for (const field of form.elements) field.removeAttribute("aria-invalid")
    for (const name of Object.keys(errors)) {
      const field = form.elements.namedItem(name)
      if (field && field.setAttribute) field.setAttribute("aria-invalid", "true")
    }
  }

  function show (parts) {
    for (const [id, html] of Object.entries(parts)) {
      const part = document.getElementById(id)
      // What did not change is left alone: a link in it may have the focus, a reader may be at it.
      if (!part || part.dataset.html === html) continue
      part.innerHTML = html
      part.dataset.html = html
    }
  }

  async function save () {
    isChanged = false
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" }
    })
    const told = await answer.json()
    said.textContent = told.said
    mark(told.errors || {})
    if (told.seen && (answer.ok || answer.status === 409)) form.elements.seen.value = told.seen
    if (answer.ok) {
      show(told.parts)
      drawAnew()
      return
    }
    isChanged = true
    isStopped = answer.status !== 422
  }

  function saveNow () {
    clearTimeout(timer)
    isSaving = true
    const mine = saving.then(() => isChanged && !isStopped ? save() : null).catch(() => {
      isChanged = true
      said.textContent = form.dataset.failed
    }).finally(() => { if (saving === mine) isSaving = false })
    saving = mine
    return saving
  }

  form.addEventListener("input", () => {
    isChanged = true
    clearTimeout(timer)
    timer = setTimeout(saveNow, PAUSE_MS)
  })
  form.addEventListener("change", saveNow)
  /* The button waits for a save under way, whose answer brings the mark this one has to name. */
  form.addEventListener("submit", async event => {
    if (!isSaving) {
      clearTimeout(timer)
      isChanged = false
      return
    }
    event.preventDefault()
    const pressed = event.submitter
    await saving
    form.requestSubmit(pressed)
  })
  document.addEventListener("visibilitychange", () => { if (document.hidden) saveNow() })
  window.addEventListener("beforeunload", event => { if (isChanged) event.preventDefault() })

  /* What is handed in is what was saved: the last words first. */
  document.addEventListener("submit", async event => {
    if (!event.target.matches("[data-hand-in]") || !isChanged) return
    event.preventDefault()
    const handIn = event.target
    await saveNow()
    if (!isChanged && handIn.isConnected) handIn.submit()
  })

  const isWide = window.matchMedia("(width >= 72rem)")
  preview.open = isWide.matches
  isWide.addEventListener("change", () => { preview.open = isWide.matches })
})()
