/** A process of its own, because it unpacks to where TMPDIR and AWS_EXECUTION_ENV say: see bundled-browser.ts. */
import chromium from '@sparticuz/chromium';

await chromium.executablePath();
