/* "/" leads to the search of the staff, unless one types or has switched the desks' shortcuts off ("?" at the reviews). */
(function () {
  "use strict"

  const box = document.getElementById("staff-search")
  if (!box) return
  document.addEventListener("keydown", event => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]")) return
    if (localStorage.getItem("desk-shortcuts-off") !== null) return
    event.preventDefault()
    box.focus()
    box.select()
  })
})()
