/**
 * Runs `act`; what it throws goes to `onThrow`. For the turns of the event loop that no caller waits for (a timer, a
 * socket's event): what leaves them would end the process, and with it every lab.
 */
export function guarded(act: () => void, onThrow: (thrown: unknown) => void): void {
  try {
    act();
  } catch (thrown) {
    onThrow(thrown);
  }
}
