import type { ComponentChildren, TargetedMouseEvent } from 'preact';
import { addressOfRoute, type Route } from '../route.ts';
import { goTo } from './navigation.ts';

export interface LinkProps {
  readonly to: Route;
  readonly className?: string;
  readonly children: ComponentChildren;
}

/** A link to another view of the page: as any other, but without loading the page again. */
export function Link({ to, className, children }: LinkProps) {
  const follow = (event: TargetedMouseEvent<HTMLElement>) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goTo(to);
  };
  return (
    <a href={addressOfRoute(to)} onClick={follow} className={className}>
      {children}
    </a>
  );
}
