// Before the first paint, so that a page which was made dark does not flash up light.
try {
  const theme = localStorage.getItem('pointwise-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Without storage the system's theme is as good.
}
