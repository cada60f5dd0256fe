import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'

const AnnouncementContext = createContext<(text: string) => void>(() => undefined)

/** Returns a function that announces a text to users of screen readers. */
export const useAnnounce = () => useContext(AnnouncementContext)

export function AnnouncerProvider({ children }: { children: ReactNode }) {
  const [announcement, setAnnouncement] = useState({ text: '', times: 0 })
  const announce = useCallback((text: string) => setAnnouncement(({ times }) => ({ text, times: times + 1 })), [])
  return (
    <AnnouncementContext value={announce}>
      {children}
      <output className="visually-hidden" aria-live="polite">
        {/* A new element for each announcement; otherwise screen readers would skip a repeated text. */}
        <span key={announcement.times}>{announcement.text}</span>
      </output>
    </AnnouncementContext>
  )
}
