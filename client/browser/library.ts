/**
 * The client library for web pages, over WebSockets. See docs/browser.md.
 *
 * @module skein/browser
 */

export * from '../everywhere.ts';
export { type BrowserConnectOptions, connect } from './connect-page.ts';
