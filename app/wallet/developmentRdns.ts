/** Start of the names under which the development wallet's accounts announce themselves. */
export const developmentRdns = 'ai.killswitch.development'
