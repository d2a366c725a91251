/* The catalogue answers as one types or chooses: the part of the page that changes is fetched and put in place, the
   address says what is asked, and how many were found is said aloud. Without this script the form does the same. */
(function () {
  "use strict"

  const WAIT_MS = 200
  const form = document.getElementById("search-form")
  const place = form && document.getElementById(form.dataset.live)
  if (!place || !window.fetch || !window.DOMParser) return

  const said = document.createElement("p")
  said.className = "visually-hidden"
  said.setAttribute("role", "status")
  place.after(said)

  let timer = 0
  let running = null
  let composing = false

  function asked () {
    const query = new URLSearchParams()
    for (const [name, value] of new FormData(form)) {
      if (String(value).trim() && !(name === "sort" && value === "best")) query.append(name, value)
    }
    const words = query.toString()
    return words ? "?" + words : location.pathname
  }

  async function show (address, isStep) {
    clearTimeout(timer)
    if (running) running.abort()
    const request = running = new AbortController()
    place.setAttribute("aria-busy", "true")
    try {
      const answer = await fetch(new URL(address, location.href), { headers: { "X-Part": "found" }, signal: request.signal })
      if (!answer.ok && answer.status !== 422) throw new Error("status " + answer.status)
      put(await answer.text())
      if (isStep) history.pushState(null, "", address)
      else history.replaceState(null, "", address)
    } catch (error) {
      if (error.name === "AbortError") return
      location.assign(address)
      return
    }
    if (running === request) {
      running = null
      place.removeAttribute("aria-busy")
    }
  }

  function put (html) {
    const open = new Map(Array.from(place.querySelectorAll("details[id]"), one => [one.id, one.open]))
    const focused = place.contains(document.activeElement) ? document.activeElement.id : ""
    place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes)
    for (const [id, isOpen] of open) {
      const details = document.getElementById(id)
      if (details) details.open = isOpen
    }
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true })
    tidy()
    said.textContent = document.getElementById("found-count")?.textContent || ""
  }

  function tidy () {
    for (const button of place.querySelectorAll("[data-without-script]")) button.hidden = true
  }

  form.elements.q.addEventListener("compositionstart", () => { composing = true })
  form.elements.q.addEventListener("compositionend", () => { composing = false; later() })
  form.elements.q.addEventListener("input", () => { if (!composing) later() })
  function later () {
    clearTimeout(timer)
    timer = setTimeout(() => show(asked(), false), WAIT_MS)
  }

  place.addEventListener("change", event => { if (event.target.form === form) show(asked(), true) })
  form.addEventListener("submit", event => {
    event.preventDefault()
    show(asked(), true)
  })
  place.addEventListener("click", event => {
    const link = event.target.closest("a[href^='?']")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    const isPage = link.closest(".pagination")
    const isShelf = link.closest(".tabs")
    show(link.getAttribute("href"), true).then(() => {
      if (isPage) place.scrollIntoView()
      else if (isShelf) place.querySelector(".tabs [aria-current]")?.focus({ preventScroll: true })
      else document.getElementById("found-count")?.focus({ preventScroll: true })
    })
  })
  addEventListener("popstate", () => {
    form.elements.q.value = new URLSearchParams(location.search).get("q") || ""
    show(location.search || location.pathname, false)
  })
  tidy()
})()
