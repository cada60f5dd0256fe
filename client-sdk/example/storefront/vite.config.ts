import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const brotli = promisify(brotliCompress)
const gzipAsync = promisify(gzip)

/** Compresses the assets at build time, so that the server does not compress them for each request. */
const compressAssets: Plugin = {
  name: 'compress-assets',
  apply: 'build',
  async generateBundle(_options, bundle) {
    for (const [fileName, file] of Object.entries(bundle)) {
      if (!/\.(js|css)$/.test(fileName)) continue
      const source = file.type === 'chunk' ? file.code : file.source
      this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: await brotli(source) })
      this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: await gzipAsync(source) })
    }
  },
}

/** During development, the page offers the demo users of the server that it proxies to. */
const demoUsers: Plugin = {
  name: 'demo-users',
  apply: 'serve',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { name: 'pointwise-users', content: '/storefront/users.json' }, injectTo: 'head' },
  ],
}

export default defineConfig(({ command }) => {
  // Otherwise NODE_ENV of the shell could select React's development build, which is three times as large.
  if (command === 'build') process.env.NODE_ENV = 'production'
  return {
    root: import.meta.dirname,
    plugins: [react(), compressAssets, demoUsers],
    build: {
      // The first versions that support `light-dark()`.
      target: ['chrome123', 'firefox121', 'safari17.5'],
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    server: { proxy: { '/trpc': 'http://127.0.0.1:3000', '/storefront': 'http://127.0.0.1:3000' } },
  }
})
