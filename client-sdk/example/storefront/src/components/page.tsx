import { type ReactNode, useEffect, useRef } from 'react'
import { navigationCount } from '../router.tsx'

interface TitleProps {
  title: string
  /** The path of the page. When it changes, the title gets the focus. */
  path: string
}

/** The title of the page, which gets the focus when the user navigates here by a link. */
export function Title({ title, path }: TitleProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (path && navigationCount() > 0) heading.current?.focus({ preventScroll: true })
  }, [path])
  useEffect(() => {
    document.title = `${title} · Pointwise`
  }, [title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {title}
    </h1>
  )
}

/** The content between the header and the footer. */
export function Page({ children }: { children: ReactNode }) {
  return (
    <main id="main" className="page" tabIndex={-1}>
      {children}
    </main>
  )
}
