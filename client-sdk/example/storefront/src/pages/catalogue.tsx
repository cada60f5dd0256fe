import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { ErrorMessage } from '../components/error-message.tsx'
import { Page, Title } from '../components/page.tsx'
import { Pagination } from '../components/pagination.tsx'
import { ProductCard, ProductCardSkeleton } from '../components/product-card.tsx'
import { BestSellers, Trending } from '../components/rankings.tsx'
import { times } from '../components/skeleton.tsx'
import { StoreFilter } from '../components/store-filter.tsx'
import { formatNumber } from '../format.ts'
import * as queries from '../queries.ts'
import { cataloguePath } from '../router.tsx'
import { useSession } from '../session.tsx'
import { ProductSubscription } from '../subscriptions/product-subscription.tsx'

const PAGE_SIZE = 20

interface CataloguePageProps {
  number: number
  storeId: number | undefined
}

export function CataloguePage({ number, storeId }: CataloguePageProps) {
  const isFrontPage = number === 1 && !storeId
  return (
    <Page>
      <Title title={number > 1 ? `Shop, page ${number}` : 'Shop'} path={cataloguePath({ number, storeId })} />
      <ProductSubscription productIds={useVisibleProductIds({ number, storeId })}>
        {isFrontPage && (
          <div className="front">
            <Trending />
            <BestSellers />
          </div>
        )}
        <Products number={number} storeId={storeId} />
      </ProductSubscription>
    </Page>
  )
}

/** The ids of the products on the page; empty until all of them are known. */
function useVisibleProductIds({ number, storeId }: CataloguePageProps): number[] {
  const { client } = useSession()
  const isFrontPage = number === 1 && !storeId
  const list = useQuery(queries.productList(client, { number, storeId }))
  const trending = useQuery({ ...queries.trending(client), enabled: isFrontPage })
  if (list.isPending || (isFrontPage && trending.isPending)) return []
  const products = [
    ...(list.data?.items ?? []),
    ...((isFrontPage && trending.data?.items) || []).map(({ product }) => product),
  ]
  return products.map(({ id }) => id)
}

function Products({ number, storeId }: CataloguePageProps) {
  const { client } = useSession()
  const { data, error, refetch, isPlaceholderData } = useQuery({
    ...queries.productList(client, { number, storeId }),
    placeholderData: keepPreviousData,
  })
  return (
    <section aria-labelledby="products-title">
      <div className="section-head">
        <h2 id="products-title">
          All products
          {data && <span className="section-count">{formatNumber(data.totalItems)}</span>}
        </h2>
        <StoreFilter storeId={storeId} />
      </div>
      {error && !data ? (
        <ErrorMessage error={error} retry={refetch} />
      ) : (
        <ul className="grid" aria-busy={!data || isPlaceholderData}>
          {data
            ? data.items.map((product) => (
                <li key={product.id}>
                  <ProductCard product={product} />
                </li>
              ))
            : times(PAGE_SIZE).map((index) => (
                <li key={index}>
                  <ProductCardSkeleton />
                </li>
              ))}
        </ul>
      )}
      {data?.items.length === 0 && <p className="empty">There are no products on this page.</p>}
      {data && (
        <Pagination number={number} total={data.totalPages} pathOf={(number) => cataloguePath({ number, storeId })} />
      )}
    </section>
  )
}
