import type { UseInfiniteQueryResult } from '@tanstack/react-query'
import { useTransition } from 'react'

type Pages = UseInfiniteQueryResult<{ pages: unknown[] }>

/** Under a list: its next page. */
export function MoreButton({ label, list }: { label: string; list: Pages }) {
  const [isLoading, load] = useTransition()
  if (!list.hasNextPage) return null
  return (
    <button type="button" className="button quiet more" disabled={isLoading} onClick={() => load(() => readMore(list))}>
      {isLoading ? 'One moment…' : label}
    </button>
  )
}

/** While the list is read anew, that is what comes, before or in place of the next page; then it is asked for again. */
async function readMore({ data, fetchNextPage }: Pages): Promise<void> {
  let read: Pages
  do read = await fetchNextPage({ cancelRefetch: false })
  while (read.isSuccess && read.hasNextPage && read.data.pages.length === data?.pages.length)
}
