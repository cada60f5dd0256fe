import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from 'react'

export type Route =
  | { page: 'catalogue'; number: number; storeId: number | undefined }
  | { page: 'product'; productId: number }
  | { page: 'orders' }
  | { page: 'points' }
  | { page: 'not-found' }

const NAVIGATED = 'pointwise:navigated'
let navigations = 0

/** The number of navigations since the page was loaded. */
export const navigationCount = () => navigations

export function navigate(path: string): void {
  navigations++
  history.pushState(null, '', path)
  window.scrollTo(0, 0)
  window.dispatchEvent(new Event(NAVIGATED))
}

function subscribe(changed: () => void): () => void {
  const onPopState = () => {
    navigations++
    changed()
  }
  window.addEventListener('popstate', onPopState)
  window.addEventListener(NAVIGATED, changed)
  return () => {
    window.removeEventListener('popstate', onPopState)
    window.removeEventListener(NAVIGATED, changed)
  }
}

export function useRoute(): Route {
  return routeOf(new URL(useSyncExternalStore(subscribe, () => location.href)))
}

function routeOf({ pathname, searchParams }: URL): Route {
  const [, productId] = /^\/products\/(\d+)$/.exec(pathname) ?? []
  if (productId) return { page: 'product', productId: Number(productId) }
  if (pathname === '/orders') return { page: 'orders' }
  if (pathname === '/points') return { page: 'points' }
  if (pathname !== '/') return { page: 'not-found' }
  return {
    page: 'catalogue',
    number: positive(searchParams.get('page')) ?? 1,
    storeId: positive(searchParams.get('store')),
  }
}

function positive(text: string | null): number | undefined {
  const number = Number(text)
  return Number.isSafeInteger(number) && number >= 1 ? number : undefined
}

export function cataloguePath({ number = 1, storeId }: { number?: number; storeId?: number | undefined }): string {
  const params = new URLSearchParams()
  if (storeId) params.set('store', String(storeId))
  if (number > 1) params.set('page', String(number))
  return params.size > 0 ? `/?${params}` : '/'
}

export const productPath = (productId: number) => `/products/${productId}`

type LinkProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'onClick'> & { href: string; onNavigated?: () => void }

/** A link within the page. A plain click navigates without a reload; other clicks get the browser's default behaviour. */
export function Link({ href, onNavigated, ...rest }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(href)
    onNavigated?.()
  }
  return <a {...rest} href={href} onClick={follow} />
}
