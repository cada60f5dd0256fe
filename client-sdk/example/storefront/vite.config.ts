import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const brotli = promisify(brotliCompress)
const zip = promisify(gzip)

/** Compresses as well as it goes, once, what would else be compressed for every visitor. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  async generateBundle(_options, bundle) {
    for (const [fileName, file] of Object.entries(bundle)) {
      if (!/\.(js|css)$/.test(fileName)) continue
      const source = file.type === 'chunk' ? file.code : file.source
      this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: await brotli(source) })
      this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: await zip(source) })
    }
  },
}

/** While the page is worked on, it has the users of the server that runs beside it. */
const withUsers: Plugin = {
  name: 'with-users',
  apply: 'serve',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { name: 'pointwise-users', content: '/storefront/users.json' }, injectTo: 'head' },
  ],
}

export default defineConfig(({ command }) => {
  // Else whatever the shell says decides which React is built in, and the one for development is three times as large.
  if (command === 'build') process.env.NODE_ENV = 'production'
  return {
    root: import.meta.dirname,
    plugins: [react(), compressed, withUsers],
    build: {
      // Those that know `light-dark()`.
      target: ['chrome123', 'firefox121', 'safari17.5'],
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    server: { proxy: { '/trpc': 'http://127.0.0.1:3000', '/storefront': 'http://127.0.0.1:3000' } },
  }
})
