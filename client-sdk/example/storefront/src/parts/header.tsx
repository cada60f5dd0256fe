import { useQuery } from '@tanstack/react-query'
import * as queries from '../queries.ts'
import { Link, type Route } from '../route.tsx'
import { useSession } from '../session.tsx'
import { Amount } from './amount.tsx'
import { Mark } from './icons.tsx'
import { Bone } from './skeleton.tsx'
import { ThemeToggle } from './theme-toggle.tsx'
import { useSignIn } from './use-sign-in.tsx'

export function Header({ route }: { route: Route }) {
  const isIn = (...pages: Route['page'][]) => (pages.includes(route.page) ? 'page' : undefined)
  return (
    <header className="header">
      <div className="header-inner">
        <Link className="wordmark" href="/">
          <Mark />
          Pointwise
        </Link>
        <nav className="main-nav" aria-label="Main">
          <Link href="/" aria-current={isIn('catalogue', 'product')}>
            Shop
          </Link>
          <Link href="/orders" aria-current={isIn('orders')}>
            Orders
          </Link>
          <Link href="/points" aria-current={isIn('points')}>
            Points
          </Link>
        </nav>
        <div className="header-end">
          <Balance />
          <Visitor />
        </div>
        <ThemeToggle />
      </div>
    </header>
  )
}

function Balance() {
  const { client, user, isOpening } = useSession()
  const { data } = useQuery({ ...queries.balance(client, user?.id ?? 0), enabled: user !== null })
  if (!user && !isOpening) return null
  return (
    <Link className="balance" href="/points">
      <span className="unseen">Balance: </span>
      {data ? <Amount value={data.balance} /> : <Bone className="bone-balance" />}
    </Link>
  )
}

/** Who the visitor is: one of the users of the demonstration, or whoever a token says. */
function Visitor() {
  const { user, users, isOpening, become } = useSession()
  const signIn = useSignIn()
  if (isOpening) return <Bone className="bone-visitor" />
  if (users.length > 0) {
    return (
      <label className="visitor">
        <span className="unseen">Shopping as</span>
        <select
          value={user?.id}
          onChange={({ target }) => become(users.find(({ id }) => id === Number(target.value)) ?? null)}
        >
          {users.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
    )
  }
  return (
    <>
      <button type="button" className="button quiet" onClick={() => (user ? become(null) : signIn.begin())}>
        {user ? `Sign out ${user.name}` : 'Sign in'}
      </button>
      {signIn.dialog}
    </>
  )
}
