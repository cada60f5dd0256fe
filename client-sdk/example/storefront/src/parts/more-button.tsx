/** Under a list: its next page. */
export function MoreButton({ label, isLoading, onMore }: { label: string; isLoading: boolean; onMore: () => void }) {
  return (
    <button type="button" className="button quiet more" disabled={isLoading} onClick={() => onMore()}>
      {isLoading ? 'One moment…' : label}
    </button>
  )
}
