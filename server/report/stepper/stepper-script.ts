/**
 * What runs in the page of html.ts, as it stands there: plain script, no libraries, nothing loaded. It finds its data
 * in the element #log (StepperData of html.ts) and writes text only, never markup. Nothing in it may contain the end
 * tag of a script.
 */

/** The table after the step numbered `step`: { text, frame, changed } by row and column. Needs no document. */
export const STEPPER_MODEL = `
function cellsAt(memory, step) {
  var cells = memory.atFirst.map(function (row) {
    return row.map(function (cell) {
      return { text: cell.text, frame: cell.frame, changed: false };
    });
  });
  for (var i = 0; i < memory.changes.length; i += 1) {
    var change = memory.changes[i];
    if (change.step > step) break;
    cells[change.row][change.column] = {
      text: change.text,
      frame: change.frame,
      changed: change.step === step,
    };
  }
  return cells;
}

function differs(row, column, processes) {
  return column >= processes && row[column].frame !== -1 && row[column].frame !== row[0].frame;
}
`;

export const STEPPER_SCRIPT = `'use strict';
(function () {
${STEPPER_MODEL}
  var log = JSON.parse(document.getElementById('log').textContent);
  var steps = log.steps;
  var rows = Array.prototype.slice.call(document.querySelectorAll('#steps li'));
  var cells = Array.prototype.slice.call(document.querySelectorAll('#memory tbody tr')).map(function (row) {
    return Array.prototype.slice.call(row.querySelectorAll('td'));
  });
  var violations = Array.prototype.slice.call(document.querySelectorAll('#violations > li'));
  var slider = document.getElementById('slider');
  var where = document.getElementById('where');
  var now = document.getElementById('now');
  var filter = document.getElementById('filter');
  var at = 0;
  var moved = location.hash !== '';

  function show(index) {
    if (steps.length === 0) return;
    rows[at].removeAttribute('aria-current');
    at = Math.min(Math.max(index, 0), steps.length - 1);
    var step = steps[at];
    rows[at].setAttribute('aria-current', 'step');
    // Who opens the page sees its head first.
    if (moved) {
      reveal();
      // Rows that were not drawn yet had a guessed height.
      requestAnimationFrame(reveal);
    }
    moved = true;
    slider.value = String(at);
    slider.setAttribute('aria-valuetext', 'step ' + step.n);
    where.textContent = 'step ' + step.n + ' of ' + steps[steps.length - 1].n;
    now.textContent = step.actor + ': ' + step.text;
    rows.forEach(function (row, i) {
      row.classList.toggle('future', i > at);
    });
    cellsAt(log.memory, step.n).forEach(function (row, r) {
      row.forEach(function (cell, c) {
        var place = cells[r][c];
        place.textContent = cell.text;
        place.classList.toggle('changed', cell.changed);
        place.classList.toggle('differs', differs(row, c, log.memory.processes));
        place.classList.toggle('empty', cell.frame === -1);
      });
    });
    violations.forEach(function (violation) {
      violation.classList.toggle('future', Number(violation.dataset.step) > step.n);
    });
  }

  function reveal() {
    rows[at].scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  function indexOf(n) {
    return steps.findIndex(function (step) {
      return step.n === n;
    });
  }

  function move(by) {
    for (var i = at + by; i >= 0 && i < steps.length; i += by) {
      if (!rows[i].hidden) return go(i);
    }
  }

  function go(index) {
    show(index);
    if (steps.length > 0) history.replaceState(null, '', '#' + steps[at].n);
  }

  function followHash() {
    var index = indexOf(Number(location.hash.slice(1)));
    if (index >= 0) show(index);
    return index >= 0;
  }

  function goToBug() {
    var bug = steps.findIndex(function (step, i) {
      return i > at && step.bug;
    });
    go(bug >= 0 ? bug : steps.findIndex(function (step) { return step.bug; }));
  }

  var actions = {
    first: function () { go(0); },
    back: function () { move(-1); },
    next: function () { move(1); },
    last: function () { go(steps.length - 1); },
    bug: goToBug,
  };
  Object.keys(actions).forEach(function (name) {
    var button = document.getElementById(name);
    if (button) button.addEventListener('click', actions[name]);
  });
  slider.addEventListener('input', function () { go(Number(slider.value)); });
  window.addEventListener('hashchange', followHash);
  filter.addEventListener('input', function () {
    var word = filter.value.toLowerCase();
    rows.forEach(function (row, i) {
      var text = (steps[i].actor + ' ' + steps[i].text).toLowerCase();
      row.hidden = text.indexOf(word) < 0;
    });
  });
  document.addEventListener('keydown', function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target === filter) return;
    var keys = { ArrowLeft: 'back', ArrowRight: 'next', Home: 'first', End: 'last', b: 'bug' };
    if (!Object.prototype.hasOwnProperty.call(keys, event.key)) return;
    event.preventDefault();
    actions[keys[event.key]]();
  });
  if (!followHash()) show(0);
})();
`;
