import { useQuery } from '@tanstack/react-query'
import { Amount } from '../parts/amount.tsx'
import { Failure } from '../parts/failure.tsx'
import { ProductCard, ProductCardBones } from '../parts/product-card.tsx'
import { Bone, times } from '../parts/skeleton.tsx'
import { Tile } from '../parts/tile.tsx'
import * as queries from '../queries.ts'
import { Link, productPath } from '../route.tsx'
import { useSession } from '../session.tsx'
import { count } from '../words.ts'

/** What sold best in the last three days. */
export function Trending() {
  const { client } = useSession()
  const { data, error, refetch } = useQuery(queries.trending(client))
  return (
    <section className="trending" aria-labelledby="trending-title">
      <div className="section-head">
        <h2 id="trending-title">Trending</h2>
        <p className="section-note">the last three days</p>
      </div>
      {error && !data ? (
        <Failure error={error} retry={refetch} />
      ) : data?.items.length === 0 ? (
        <p className="empty">Nothing was sold in the last three days. Be the first.</p>
      ) : (
        <ul className="shelf">
          {data
            ? data.items.map(({ rank, soldCount, product }) => (
                <li key={product.id}>
                  <ProductCard product={product} badge={`${rank} · ${count(soldCount)} sold`} />
                </li>
              ))
            : times(5).map((index) => (
                <li key={index}>
                  <ProductCardBones />
                </li>
              ))}
        </ul>
      )}
    </section>
  )
}

/** What sold best ever. */
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
        <Failure error={error} retry={refetch} />
      ) : data?.length === 0 ? (
        <p className="empty">Nothing was sold yet.</p>
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
                    <span className="ranked-sold">{count(salesVolume)} sold</span>
                  </span>
                  <Amount value={product.price} />
                </li>
              ))
            : times(10).map((index) => (
                <li key={index} className="ranked">
                  <Bone className="bone-row" />
                </li>
              ))}
        </ol>
      )}
    </section>
  )
}
