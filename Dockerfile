FROM node:24-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
COPY db/package.json db/
COPY server/package.json server/
COPY client-sdk/package.json client-sdk/
COPY test/package.json test/

FROM manifests AS dependencies
# The optional packages contain a Node.js binary. This image already has one.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace=@pointwise/server --workspace=@pointwise/db

FROM manifests AS storefront
RUN npm ci --ignore-scripts --workspace=@pointwise/client-sdk
COPY client-sdk client-sdk
RUN npm run build:storefront

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
# Copies the whole directory, because a workspace can have a node_modules directory of its own.
COPY --from=dependencies /app .
COPY db db
COPY server server
# Served only when STOREFRONT=on.
COPY --from=storefront /app/client-sdk/example/storefront/dist client-sdk/example/storefront/dist
USER node
EXPOSE 3000
CMD ["node", "--max-semi-space-size=8", "--max-old-space-size=1024", "server/src/main.ts"]
