import { useLiveUser } from './live/use-live-user.ts'
import { CataloguePage } from './pages/catalogue.tsx'
import { NowherePage } from './pages/nowhere.tsx'
import { OrdersPage } from './pages/orders.tsx'
import { PointsPage } from './pages/points.tsx'
import { ProductPage } from './pages/product.tsx'
import { Footer } from './parts/footer.tsx'
import { Header } from './parts/header.tsx'
import { type Route, useRoute } from './route.tsx'

export function App() {
  const route = useRoute()
  useLiveUser()
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header route={route} />
      <Shown route={route} />
      <Footer />
    </>
  )
}

function Shown({ route }: { route: Route }) {
  switch (route.page) {
    case 'catalogue':
      return <CataloguePage number={route.number} storeId={route.storeId} />
    case 'product':
      return <ProductPage key={route.productId} productId={route.productId} />
    case 'orders':
      return <OrdersPage />
    case 'points':
      return <PointsPage />
    case 'nowhere':
      return <NowherePage />
  }
}
