import type { Product } from '@pointwise/client-sdk'
import { Link, productPath } from '../router.tsx'
import { useCurrentProduct } from '../subscriptions/product-subscription.tsx'
import { Amount } from './amount.tsx'
import { Skeleton } from './skeleton.tsx'
import { StockLabel } from './stock-label.tsx'
import { Tile } from './tile.tsx'

export function ProductCard({ product: initialProduct, badge }: { product: Product; badge?: string }) {
  const product = useCurrentProduct(initialProduct)
  return (
    <article className="card">
      <div className="card-picture">
        <Tile productId={product.id} />
        {badge && <span className="badge">{badge}</span>}
      </div>
      <div className="card-text">
        <h3 className="card-name">
          <Link href={productPath(product.id)}>{product.name}</Link>
        </h3>
        <p className="card-store">{product.storeName}</p>
        <div className="card-foot">
          <Amount value={product.price} />
          <StockLabel stock={product.stock} />
        </div>
      </div>
    </article>
  )
}

export function ProductCardSkeleton() {
  return (
    <div className="card" aria-hidden="true">
      <div className="card-picture">
        <Skeleton className="skeleton-fill" />
      </div>
      <div className="card-text">
        <p className="card-name">
          <Skeleton className="skeleton-long" />
        </p>
        <p className="card-store">
          <Skeleton className="skeleton-short" />
        </p>
        <div className="card-foot">
          <Skeleton className="skeleton-short" />
        </div>
      </div>
    </div>
  )
}
