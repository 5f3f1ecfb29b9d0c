# One image for the server and for the ready-made clients: Node runs the TypeScript sources as they are.
FROM node:26-slim AS page
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --no-audit --no-fund
COPY server ./server
COPY clients ./clients
RUN node clients/web/build/build-page.ts

FROM node:26-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY LICENSE README.md ./
COPY server ./server
COPY clients ./clients
COPY scenarios ./scenarios
COPY --from=page /app/dist/web ./dist/web
USER node
EXPOSE 7070
ENV MMRACE_HOST=0.0.0.0 MMRACE_PORT=7070
CMD ["node", "server/main.ts"]
