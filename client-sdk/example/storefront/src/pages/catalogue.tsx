import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { LiveProducts } from '../live/live-products.tsx'
import { Failure } from '../parts/failure.tsx'
import { Page, Title } from '../parts/page.tsx'
import { Pagination } from '../parts/pagination.tsx'
import { ProductCard, ProductCardBones } from '../parts/product-card.tsx'
import { times } from '../parts/skeleton.tsx'
import { StoreFilter } from '../parts/store-filter.tsx'
import * as queries from '../queries.ts'
import { cataloguePath } from '../route.tsx'
import { useSession } from '../session.tsx'
import { count } from '../words.ts'
import { BestSellers, Trending } from './rankings.tsx'

const PAGE_SIZE = 20

interface CataloguePageProps {
  number: number
  storeId: number | undefined
}

export function CataloguePage({ number, storeId }: CataloguePageProps) {
  const isFront = number === 1 && !storeId
  return (
    <Page>
      <Title title={number > 1 ? `The shop, page ${number}` : 'The shop'} place={cataloguePath({ number, storeId })} />
      <LiveProducts productIds={useShown({ number, storeId })}>
        {isFront && (
          <div className="front">
            <Trending />
            <BestSellers />
          </div>
        )}
        <Products number={number} storeId={storeId} />
      </LiveProducts>
    </Page>
  )
}

/** The ids of the products whose stock is shown, once all of them are known. */
function useShown({ number, storeId }: CataloguePageProps): number[] {
  const { client } = useSession()
  const isFront = number === 1 && !storeId
  const list = useQuery(queries.productList(client, { number, storeId }))
  const trending = useQuery({ ...queries.trending(client), enabled: isFront })
  if (list.isPending || (isFront && trending.isPending)) return []
  const products = [
    ...(list.data?.items ?? []),
    ...((isFront && trending.data?.items) || []).map(({ product }) => product),
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
          {data && <span className="section-count">{count(data.totalItems)}</span>}
        </h2>
        <StoreFilter storeId={storeId} />
      </div>
      {error && !data ? (
        <Failure error={error} retry={refetch} />
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
                  <ProductCardBones />
                </li>
              ))}
        </ul>
      )}
      {data?.items.length === 0 && <p className="empty">There is nothing on this page.</p>}
      {data && (
        <Pagination number={number} total={data.totalPages} pathOf={(number) => cataloguePath({ number, storeId })} />
      )}
    </section>
  )
}
