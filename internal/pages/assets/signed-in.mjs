// Whoever used this phone before must not show to whoever does now.

/** Marks that somebody has signed in here: the app shows nobody's day until the server has said whose it is (app-day.mjs). */
export function somebodyNew() {
  try { localStorage.setItem("menshen-signed-in", "1"); } catch { /* private browsing keeps nothing to show */ }
}
