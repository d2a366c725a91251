/* Saves a section of the application as soon as something in it changes. Without this script each section has its
   own button, which does the same. */
(function () {
  "use strict"

  if (!window.fetch) return
  const list = document.getElementById("missing-list")

  function tellMissing (missing, lacking) {
    if (!list) return
    list.replaceChildren(...missing.map(text => {
      const item = document.createElement("li")
      item.textContent = text
      return item
    }))
    for (const one of document.querySelectorAll("[data-when-missing]")) one.hidden = missing.length === 0
    for (const one of document.querySelectorAll("[data-when-complete]")) one.hidden = missing.length > 0
    for (const link of document.querySelectorAll("[data-section]")) {
      link.classList.toggle("is-done", !lacking.includes(link.dataset.section))
    }
  }

  async function save (form) {
    const said = form.querySelector("[data-said]")
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" }
    })
    const told = await answer.json()
    for (const field of form.elements) field.removeAttribute("aria-invalid")
    if (answer.ok) {
      said.textContent = told.said
      tellMissing(told.missing, told.lacking)
      return
    }
    const errors = told.errors || {}
    for (const name of Object.keys(errors)) {
      const field = form.elements.namedItem(name)
      if (field && field.setAttribute) field.setAttribute("aria-invalid", "true")
    }
    said.textContent = Object.values(errors).flat().join(" ") || told.detail || ""
  }

  for (const form of document.querySelectorAll("form[data-autosave]")) {
    let waiting = Promise.resolve()
    form.addEventListener("change", () => {
      waiting = waiting.then(() => save(form)).catch(() => {})
    })
  }
})()
