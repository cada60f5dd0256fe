/** Holds the place of something that is being loaded. */
export function Bone({ className }: { className: string }) {
  return <span className={`bone ${className}`} aria-hidden="true" />
}

export const times = (count: number) => Array.from({ length: count }, (_, index) => index)
