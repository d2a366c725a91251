/* Shortcuts of the review desk. Each presses a button, opens a box or follows a link that the page has anyway; none
   works while one types, with a modifier key, or once they are switched off in the list that "?" opens. */
(function () {
  "use strict"

  const help = document.querySelector("[data-shortcuts-help]")
  if (!help) return
  const OFF = "desk-shortcuts-off"
  const isOn = help.querySelector("[data-shortcuts-on]")
  help.hidden = false
  isOn.checked = localStorage.getItem(OFF) === null
  isOn.addEventListener("change", () => {
    if (isOn.checked) localStorage.removeItem(OFF)
    else localStorage.setItem(OFF, "1")
  })

  const rows = [...document.querySelectorAll("[data-row]")]
  const items = [...document.querySelectorAll("[data-item]")]
  const ANSWERS = { y: "yes", x: "no", 0: "not_applicable" }

  function isTyping (target) {
    return target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]") !== null
  }

  function step (by) {
    if (!rows.length) return
    const at = rows.indexOf(document.activeElement)
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)
    rows[next].focus()
  }

  function goTo (item) {
    if (!item) return
    const radios = [...item.querySelectorAll("input[type=radio]")]
    const target = radios.find(radio => radio.checked) || radios[0]
    if (target) target.focus()
  }

  /* The answer goes to the item one is at, else to the first that has none. */
  function answer (value) {
    const here = items.find(item => item.contains(document.activeElement)) ||
      items.find(item => !item.querySelector("input:checked"))
    const radio = here && here.querySelector(`input[value="${value}"]`)
    if (!radio) return
    radio.checked = true
    if (value === "yes") goTo(items[items.indexOf(here) + 1] || here)
    else here.querySelector("input[type=text]").focus()
  }

  function press (key) {
    const target = document.querySelector(`[data-shortcut="${key}"]`)
    if (!target) return false
    target.click()
    if (target.tagName === "SUMMARY" && target.parentElement.open) {
      const first = target.parentElement.querySelector("textarea, select, input:not([type=hidden])")
      if (first) first.focus()
    }
    return true
  }

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return
    if (event.key === "?") {
      help.open = !help.open
      help.querySelector("summary").focus()
    } else if (!isOn.checked) {
      return
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j" ? 1 : -1)
    } else if (event.key === "s" && document.getElementById("desk-search")) {
      document.getElementById("desk-search").focus()
    } else if (items.length && event.key in ANSWERS) {
      answer(ANSWERS[event.key])
    } else if (items.length && /^[1-9]$/.test(event.key)) {
      goTo(items[Number(event.key) - 1])
    } else if (!/^[a-z]$/.test(event.key) || !press(event.key)) {
      return
    }
    event.preventDefault()
  })

  /* A reason's template goes into its box, in the language that was pressed; its code is chosen with it. */
  for (const link of document.querySelectorAll("button[data-insert]")) {
    link.hidden = false
    link.addEventListener("click", () => {
      const box = document.getElementById(link.dataset.insert)
      const code = document.getElementById(link.dataset.code)
      const text = document.getElementById(link.dataset.text).textContent.trim()
      box.value = box.value.trim() ? `${box.value.trim()}\n\n${text}` : text
      if (code) code.value = link.dataset.value
      box.focus()
    })
  }
})()
