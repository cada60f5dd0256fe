// Runs before the first paint, so that a page with the dark theme does not first appear light.
try {
  const theme = localStorage.getItem('pointwise-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Without storage, the system's theme applies.
}
