import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { absolutePath } from 'swagger-ui-dist'
import type { Application } from './application.ts'

const files: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Killswitch relayer</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`

const start = `window.ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', validatorUrl: null })\n`

// Styles are inline in Swagger UI; scripts are ours alone and nothing is asked of third parties.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The OpenAPI document of a listener, at `/openapi.json`. */
export function addOpenApiDocument(app: Application, version: string): void {
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Killswitch relayer', version, license: { name: 'MIT' } },
  })
}

/** The OpenAPI document and a page to try it. */
export function addDocsRoutes(app: Application, version: string): void {
  addOpenApiDocument(app, version)
  app.get('/docs', (context) =>
    context.html(page, 200, { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' }),
  )
  app.get('/docs/start.js', (context) => context.body(start, 200, { 'content-type': 'text/javascript' }))
  app.get('/docs/:file', async (context) => {
    const file = context.req.param('file')
    const type = Object.hasOwn(files, file) ? files[file] : undefined
    if (type === undefined) return context.notFound()
    return context.body(new Uint8Array(await readFile(join(absolutePath(), file))), 200, {
      'content-type': type,
      'cache-control': 'max-age=3600',
    })
  })
}
