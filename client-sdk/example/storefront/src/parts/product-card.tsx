import type { Product } from '@pointwise/client-sdk'
import { useCurrent } from '../live/live-products.tsx'
import { Link, productPath } from '../route.tsx'
import { Amount } from './amount.tsx'
import { Bone } from './skeleton.tsx'
import { StockLine } from './stock-line.tsx'
import { Tile } from './tile.tsx'

export function ProductCard({ product: read, badge }: { product: Product; badge?: string }) {
  const product = useCurrent(read)
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
          <StockLine stock={product.stock} />
        </div>
      </div>
    </article>
  )
}

export function ProductCardBones() {
  return (
    <div className="card" aria-hidden="true">
      <div className="card-picture">
        <Bone className="bone-fill" />
      </div>
      <div className="card-text">
        <p className="card-name">
          <Bone className="bone-long" />
        </p>
        <p className="card-store">
          <Bone className="bone-short" />
        </p>
        <div className="card-foot">
          <Bone className="bone-short" />
        </div>
      </div>
    </div>
  )
}
