import { useSyncExternalStore } from 'react'
import { Moon, Sun } from './icons.tsx'

type Theme = 'light' | 'dark'

const system = window.matchMedia('(prefers-color-scheme: dark)')
const CHANGED = 'pointwise:theme'

function currentTheme(): Theme {
  const { theme } = document.documentElement.dataset
  return theme === 'light' || theme === 'dark' ? theme : system.matches ? 'dark' : 'light'
}

function subscribe(changed: () => void): () => void {
  system.addEventListener('change', changed)
  window.addEventListener(CHANGED, changed)
  return () => {
    system.removeEventListener('change', changed)
    window.removeEventListener(CHANGED, changed)
  }
}

function choose(theme: Theme): void {
  document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem('pointwise-theme', theme)
  } catch {
    // Without storage, the choice lasts until the next reload.
  }
  window.dispatchEvent(new Event(CHANGED))
}

export function ThemeToggle() {
  const theme = useSyncExternalStore(subscribe, currentTheme)
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={theme === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
      onClick={() => choose(theme === 'dark' ? 'light' : 'dark')}
    >
      {theme === 'dark' ? <Sun /> : <Moon />}
    </button>
  )
}
