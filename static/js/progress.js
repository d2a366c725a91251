/* Shows how far the exchange is with a release: files on their way in and being checked, and its measuring. The page
   is loaded again when something came to its end. Without it the page loads itself again now and then. */
(function () {
  "use strict"

  const EVERY_SECONDS = 2
  const place = document.querySelector("[data-progress]")
  if (!place || !window.fetch) return

  async function look () {
    let told
    try {
      const answer = await fetch(place.dataset.progress, { headers: { Accept: "application/json" } })
      if (!answer.ok) return
      told = await answer.json()
    } catch (_) {
      return
    }
    if (told.mark !== place.dataset.mark && !document.body.dataset.sending) {
      window.location.reload()
      return
    }
    for (const [name, share] of Object.entries(told.shares)) {
      const bar = document.querySelector('progress[data-of="' + CSS.escape(name) + '"]')
      if (bar) bar.value = share
    }
  }

  setInterval(look, 1000 * EVERY_SECONDS)
})()
