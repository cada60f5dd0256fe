import { newIdempotencyKey, type Product, refusalOf } from '@pointwise/client-sdk'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Purchase } from '../checkout/purchase.ts'
import { PurchaseDialog } from '../checkout/purchase-dialog.tsx'
import { Amount } from '../components/amount.tsx'
import { ErrorMessage } from '../components/error-message.tsx'
import { Back } from '../components/icons.tsx'
import { Page, Title } from '../components/page.tsx'
import { QuantityField } from '../components/quantity-field.tsx'
import { SignInPrompt } from '../components/sign-in-prompt.tsx'
import { Skeleton } from '../components/skeleton.tsx'
import { StockLabel } from '../components/stock-label.tsx'
import { Tile } from '../components/tile.tsx'
import { formatNumber } from '../format.ts'
import * as queries from '../queries.ts'
import { cataloguePath, Link, productPath } from '../router.tsx'
import { useSession } from '../session.tsx'
import { ProductSubscription, useCurrentProduct } from '../subscriptions/product-subscription.tsx'

export function ProductPage({ productId }: { productId: number }) {
  const { client } = useSession()
  const { data, error, refetch } = useQuery(queries.product(client, productId))
  // Stored here, so that the dialog stays open if the product is removed meanwhile.
  const [purchase, setPurchase] = useState<Purchase>()
  const isRemoved = refusalOf(error)?.code === 'product_not_found'
  return (
    <Page>
      <Link className="back" href="/">
        <Back />
        Back to the shop
      </Link>
      <div className="product">
        <div className="product-picture">
          <Tile productId={productId} />
        </div>
        <div className="offer">
          <Title title={data?.name ?? (error ? 'Not available' : 'Loading…')} path={productPath(productId)} />
          {isRemoved ? (
            <p>This product does not exist or is no longer sold.</p>
          ) : data ? (
            <ProductSubscription productIds={[productId]}>
              <Offer product={data} onBuy={setPurchase} />
            </ProductSubscription>
          ) : error ? (
            <ErrorMessage error={error} retry={refetch} />
          ) : (
            <OfferSkeleton />
          )}
        </div>
      </div>
      {purchase && <PurchaseDialog purchase={purchase} onClose={() => setPurchase(undefined)} />}
    </Page>
  )
}

function Offer({ product, onBuy }: { product: Product; onBuy: (purchase: Purchase) => void }) {
  const { user, isLoading } = useSession()
  const [quantity, setQuantity] = useState(1)
  const { id, name, price, stock, salesVolume, storeId, storeName } = useCurrentProduct(product)
  const buy = (kind: 'checkout' | 'place') =>
    onBuy({ kind, productId: id, name, quantity, price, idempotencyKey: newIdempotencyKey() })
  return (
    <>
      <p className="offer-store">
        <Link href={cataloguePath({ storeId })}>{storeName}</Link> · {formatNumber(salesVolume)} sold
      </p>
      <p className="offer-price">
        <Amount value={price} />
      </p>
      <p className="offer-stock">
        <StockLabel stock={stock} />
        <span className="live">live</span>
      </p>
      {user || isLoading ? (
        <>
          <QuantityField value={quantity} onChange={setQuantity} />
          <div className="actions">
            <button type="button" className="button large" disabled={stock === 0} onClick={() => buy('checkout')}>
              Buy for <Amount value={price * quantity} />
            </button>
            <button type="button" className="button large quiet" disabled={stock === 0} onClick={() => buy('place')}>
              Order, pay later
            </button>
          </div>
        </>
      ) : (
        <SignInPrompt purpose="to buy this product" />
      )}
    </>
  )
}

function OfferSkeleton() {
  return (
    <div aria-hidden="true">
      <p className="offer-store">
        <Skeleton className="skeleton-short" />
      </p>
      <p className="offer-price">
        <Skeleton className="skeleton-price" />
      </p>
      <p className="offer-stock">
        <Skeleton className="skeleton-short" />
      </p>
      <div className="field skeleton-stepper">
        <Skeleton className="skeleton-fill" />
      </div>
    </div>
  )
}
