import { openIncident } from '../state/connect.ts';
import { nextTheme, theme } from '../state/theme.ts';
import { help } from '../state/toggles.ts';

export const Menu = () => (
  <>
    <button
      type="button"
      class="quiet"
      onClick={nextTheme}
      aria-label={`Colours: ${theme.value}. Change`}
      title={`Colours: ${theme.value}`}
    >
      {theme.value === 'dark' ? '☾' : theme.value === 'light' ? '☀' : '◑'}
    </button>
    <label class="quiet file" title="Open a recorded incident">
      Open …
      <input
        type="file"
        accept="application/json,.json"
        aria-label="Open a recorded incident"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          if (file !== undefined) void openIncident(file);
          currentTarget.value = '';
        }}
      />
    </label>
    <button type="button" class="quiet" onClick={() => void (help.value = true)} aria-label="Help and keys">
      ?
    </button>
  </>
);
