import type { UseInfiniteQueryResult } from '@tanstack/react-query'
import { useTransition } from 'react'

type Pages = UseInfiniteQueryResult<{ pages: unknown[] }>

/** Loads the next page of a list. */
export function LoadMoreButton({ label, list }: { label: string; list: Pages }) {
  const [isLoading, load] = useTransition()
  if (!list.hasNextPage) return null
  return (
    <button type="button" className="button quiet more" disabled={isLoading} onClick={() => load(() => loadMore(list))}>
      {isLoading ? 'One moment…' : label}
    </button>
  )
}

/** Loads the next page. If a refetch of the list is in progress, it may return instead; then the next page is requested again. */
async function loadMore({ data, fetchNextPage }: Pages): Promise<void> {
  let result: Pages
  do result = await fetchNextPage({ cancelRefetch: false })
  while (result.isSuccess && result.hasNextPage && result.data.pages.length === data?.pages.length)
}
