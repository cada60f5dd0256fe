import { newIdempotencyKey, type Product, refusalOf } from '@pointwise/client-sdk'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { BuyDialog } from '../buying/buy-dialog.tsx'
import type { Purchase } from '../buying/purchase.ts'
import { LiveProducts, useCurrent } from '../live/live-products.tsx'
import { Amount } from '../parts/amount.tsx'
import { Failure } from '../parts/failure.tsx'
import { Back } from '../parts/icons.tsx'
import { Page, Title } from '../parts/page.tsx'
import { Quantity } from '../parts/quantity.tsx'
import { SignInFirst } from '../parts/sign-in-first.tsx'
import { Bone } from '../parts/skeleton.tsx'
import { StockLine } from '../parts/stock-line.tsx'
import { Tile } from '../parts/tile.tsx'
import * as queries from '../queries.ts'
import { cataloguePath, Link, productPath } from '../route.tsx'
import { useSession } from '../session.tsx'
import { count } from '../words.ts'

export function ProductPage({ productId }: { productId: number }) {
  const { client } = useSession()
  const { data, error, refetch } = useQuery(queries.product(client, productId))
  // Kept here: what is being bought is seen to its end, also when the product leaves the shop meanwhile.
  const [purchase, setPurchase] = useState<Purchase>()
  const isGone = refusalOf(error)?.code === 'product_not_found'
  return (
    <Page>
      <Link className="back" href="/">
        <Back />
        To the shop
      </Link>
      <div className="product">
        <div className="product-picture">
          <Tile productId={productId} />
        </div>
        <div className="offer">
          <Title title={data?.name ?? (error ? 'Not here' : 'Loading…')} place={productPath(productId)} />
          {isGone ? (
            <p>This product is not in the shop, or not any more.</p>
          ) : data ? (
            <LiveProducts productIds={[productId]}>
              <Offer product={data} ask={setPurchase} />
            </LiveProducts>
          ) : error ? (
            <Failure error={error} retry={refetch} />
          ) : (
            <OfferBones />
          )}
        </div>
      </div>
      {purchase && <BuyDialog purchase={purchase} onClose={() => setPurchase(undefined)} />}
    </Page>
  )
}

function Offer({ product, ask }: { product: Product; ask: (purchase: Purchase) => void }) {
  const { user, isOpening } = useSession()
  const [quantity, setQuantity] = useState(1)
  const { id, name, price, stock, salesVolume, storeId, storeName } = useCurrent(product)
  const begin = (kind: 'checkout' | 'place') =>
    ask({ kind, productId: id, name, quantity, price, idempotencyKey: newIdempotencyKey() })
  return (
    <>
      <p className="offer-store">
        <Link href={cataloguePath({ storeId })}>{storeName}</Link> · {count(salesVolume)} sold
      </p>
      <p className="offer-price">
        <Amount value={price} />
      </p>
      <p className="offer-stock">
        <StockLine stock={stock} />
        <span className="live">live</span>
      </p>
      {user || isOpening ? (
        <>
          <Quantity value={quantity} change={setQuantity} />
          <div className="actions">
            <button type="button" className="button large" disabled={stock === 0} onClick={() => begin('checkout')}>
              Buy for <Amount value={price * quantity} />
            </button>
            <button type="button" className="button large quiet" disabled={stock === 0} onClick={() => begin('place')}>
              Order, pay later
            </button>
          </div>
        </>
      ) : (
        <SignInFirst to="to buy it" />
      )}
    </>
  )
}

function OfferBones() {
  return (
    <div aria-hidden="true">
      <p className="offer-store">
        <Bone className="bone-short" />
      </p>
      <p className="offer-price">
        <Bone className="bone-price" />
      </p>
      <p className="offer-stock">
        <Bone className="bone-short" />
      </p>
      <div className="field bone-stepper">
        <Bone className="bone-fill" />
      </div>
    </div>
  )
}
