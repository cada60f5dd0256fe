import { Footer } from './components/footer.tsx'
import { Header } from './components/header.tsx'
import { CataloguePage } from './pages/catalogue.tsx'
import { NotFoundPage } from './pages/not-found.tsx'
import { OrdersPage } from './pages/orders.tsx'
import { PointsPage } from './pages/points.tsx'
import { ProductPage } from './pages/product.tsx'
import { type Route, useRoute } from './router.tsx'
import { useUserSubscription } from './subscriptions/use-user-subscription.ts'

export function App() {
  const route = useRoute()
  useUserSubscription()
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <Header route={route} />
      <CurrentPage route={route} />
      <Footer />
    </>
  )
}

function CurrentPage({ route }: { route: Route }) {
  switch (route.page) {
    case 'catalogue':
      return <CataloguePage number={route.number} storeId={route.storeId} />
    case 'product':
      return <ProductPage key={route.productId} productId={route.productId} />
    case 'orders':
      return <OrdersPage />
    case 'points':
      return <PointsPage />
    case 'not-found':
      return <NotFoundPage />
  }
}
