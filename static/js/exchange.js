/* The only script of ours. Every page works without it; it adds three comforts:
   - an open menu closes when one clicks elsewhere or presses Escape;
   - a button with data-copy="#id" copies that element's text and says so;
   - when a passkey could not be used, the page says so (allauth's own script only writes to the console). */
(function () {
  "use strict"

  function closeMenus (except) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false
    }
  }

  document.addEventListener("click", event => closeMenus(event.target.closest("details.menu")))

  document.addEventListener("keydown", event => {
    if (event.key !== "Escape") return
    const menu = document.querySelector("details.menu[open]")
    if (menu) {
      menu.open = false
      menu.querySelector("summary").focus()
    }
  })

  for (const button of document.querySelectorAll("button[data-copy]")) {
    const source = document.querySelector(button.dataset.copy)
    if (!source || !navigator.clipboard) continue
    button.hidden = false
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText((source.value || source.textContent).trim())
      const said = button.textContent
      button.textContent = button.dataset.copied
      setTimeout(() => { button.textContent = said }, 2000)
    })
  }

  document.addEventListener("allauth.error", event => {
    const notice = document.getElementById("passkey-failed")
    if (!notice) return
    event.preventDefault()
    notice.hidden = false
    notice.focus()
  })
})()
