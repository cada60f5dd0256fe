FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY db/package.json db/
COPY server/package.json server/
COPY client-sdk/package.json client-sdk/
# The optional packages bring a Node of their own; this image has one.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace=@pointwise/server --workspace=@pointwise/db

FROM node:24-bookworm-slim AS storefront
WORKDIR /app
COPY package.json package-lock.json ./
COPY db/package.json db/
COPY server/package.json server/
COPY client-sdk client-sdk
RUN npm ci --ignore-scripts && npm run build:storefront

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
# All of it: a package that two versions are needed of lies in the workspace's own node_modules.
COPY --from=dependencies /app .
COPY db db
COPY server server
# Served where STOREFRONT=on says so.
COPY --from=storefront /app/client-sdk/example/storefront/dist client-sdk/example/storefront/dist
USER node
EXPOSE 3000
CMD ["node", "--max-semi-space-size=8", "--max-old-space-size=1024", "server/src/main.ts"]
