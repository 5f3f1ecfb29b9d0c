/** A spectator without eyes, in a process of its own: reads what a lab sends, as fast as it comes. */
import { ObserverClient } from '../../sdk/observer-client.ts';

const [url = '', lab = ''] = process.argv.slice(2);
let events = 0;
const client = new ObserverClient({
  url,
  lab,
  name: 'spectator',
  snapshot: () => undefined,
  events: (batch) => {
    events += batch.length;
  },
});
await client.connection.greeted;
process.on('message', () => process.send?.({ events }));
process.on('disconnect', () => process.exit(0));
process.send?.({ events });
