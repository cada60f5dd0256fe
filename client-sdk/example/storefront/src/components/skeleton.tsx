/** A placeholder for content that is being loaded. */
export function Skeleton({ className }: { className: string }) {
  return <span className={`skeleton ${className}`} aria-hidden="true" />
}

export const times = (count: number) => Array.from({ length: count }, (_, index) => index)
