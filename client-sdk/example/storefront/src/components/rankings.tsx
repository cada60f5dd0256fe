import { useQuery } from '@tanstack/react-query'
import { formatNumber } from '../format.ts'
import * as queries from '../queries.ts'
import { Link, productPath } from '../router.tsx'
import { useSession } from '../session.tsx'
import { Amount } from './amount.tsx'
import { ErrorMessage } from './error-message.tsx'
import { ProductCard, ProductCardSkeleton } from './product-card.tsx'
import { Skeleton, times } from './skeleton.tsx'
import { Tile } from './tile.tsx'

/** The best sellers of the last three days. */
export function Trending() {
  const { client } = useSession()
  const { data, error, refetch } = useQuery(queries.trending(client))
  return (
    <section className="trending" aria-labelledby="trending-title">
      <div className="section-head">
        <h2 id="trending-title">Trending</h2>
        <p className="section-note">in the last three days</p>
      </div>
      {error && !data ? (
        <ErrorMessage error={error} retry={refetch} />
      ) : data?.items.length === 0 ? (
        <p className="empty">Nothing has been sold in the last three days. Be the first!</p>
      ) : (
        <ul className="shelf">
          {data
            ? data.items.map(({ rank, soldCount, product }) => (
                <li key={product.id}>
                  <ProductCard product={product} badge={`${rank} · ${formatNumber(soldCount)} sold`} />
                </li>
              ))
            : times(5).map((index) => (
                <li key={index}>
                  <ProductCardSkeleton />
                </li>
              ))}
        </ul>
      )}
    </section>
  )
}

/** The best sellers of all time. */
export function BestSellers() {
  const { client } = useSession()
  const { data, error, refetch } = useQuery(queries.bestSellers(client))
  return (
    <section className="best" aria-labelledby="best-title">
      <div className="section-head">
        <h2 id="best-title">Best sellers</h2>
        <p className="section-note">of all time</p>
      </div>
      {error && !data ? (
        <ErrorMessage error={error} retry={refetch} />
      ) : data?.length === 0 ? (
        <p className="empty">Nothing has been sold yet.</p>
      ) : (
        <ol className="ranking">
          {data
            ? data.map(({ rank, salesVolume, product }) => (
                <li key={product.id} className="ranked">
                  <span className="rank" aria-hidden="true">
                    {rank}
                  </span>
                  <Tile productId={product.id} />
                  <span className="ranked-text">
                    <Link href={productPath(product.id)}>{product.name}</Link>
                    <span className="ranked-sold">{formatNumber(salesVolume)} sold</span>
                  </span>
                  <Amount value={product.price} />
                </li>
              ))
            : times(10).map((index) => (
                <li key={index} className="ranked">
                  <Skeleton className="skeleton-row" />
                </li>
              ))}
        </ol>
      )}
    </section>
  )
}
