import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { AnnouncementProvider } from './parts/announcement.tsx'
import { SessionProvider } from './session.tsx'

/** The client makes a call again where that helps, and knows better than the browser whether there is a network. */
const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 15_000, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
})

const root = document.getElementById('root')
if (!root) throw new Error('The page has no root.')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <SessionProvider>
        <AnnouncementProvider>
          <App />
        </AnnouncementProvider>
      </SessionProvider>
    </QueryClientProvider>
  </StrictMode>,
)
