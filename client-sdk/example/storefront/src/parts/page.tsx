import { type ReactNode, useEffect, useRef } from 'react'
import { navigationCount } from '../route.tsx'

interface TitleProps {
  title: string
  /** Where the visitor is; another place takes the focus to its title. */
  place: string
}

/** The title of what is shown, to which the focus goes when a visitor comes here by a link. */
export function Title({ title, place }: TitleProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (place && navigationCount() > 0) heading.current?.focus({ preventScroll: true })
  }, [place])
  useEffect(() => {
    document.title = `${title} · Pointwise`
  }, [title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {title}
    </h1>
  )
}

/** What is between header and footer. */
export function Page({ children }: { children: ReactNode }) {
  return (
    <main id="main" className="page" tabIndex={-1}>
      {children}
    </main>
  )
}
