/** Whether this build has the development wallet; see vite.config.ts. */
declare const __DEVELOPMENT_WALLET__: boolean
