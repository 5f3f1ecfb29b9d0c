import type { Room } from '../room/use-room.ts';

/** Who I am in this race. */
export function RoleCard({ room, name }: { readonly room: Room; readonly name: string }) {
  const { sheet, cast } = room;
  const mine =
    sheet === 'none' ? undefined : sheet.cast.find(({ role }) => cast.get(role) === name);
  if (sheet === 'none') return null;
  return (
    <section className="role-card" data-testid="role">
      {mine === undefined ? (
        <>
          <h2>You watch, for now.</h2>
          <p>The presenter may give you a role. Try what you like meanwhile.</p>
        </>
      ) : (
        <>
          <h2>You are the {mine.role}.</h2>
          <p>{mine.says}</p>
        </>
      )}
    </section>
  );
}
