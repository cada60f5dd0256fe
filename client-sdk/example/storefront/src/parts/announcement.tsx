import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'

const AnnouncementContext = createContext<(text: string) => void>(() => undefined)

/** Says something to those who cannot see that it has changed. */
export const useAnnounce = () => useContext(AnnouncementContext)

export function AnnouncementProvider({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: '', times: 0 })
  const announce = useCallback((text: string) => setSaid(({ times }) => ({ text, times: times + 1 })), [])
  return (
    <AnnouncementContext value={announce}>
      {children}
      <output className="unseen" aria-live="polite">
        {/* A new element for each, or the same words twice would be said once. */}
        <span key={said.times}>{said.text}</span>
      </output>
    </AnnouncementContext>
  )
}
