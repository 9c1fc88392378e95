/**
 * The little Markdown that models write, as it reads: paragraphs, lists, tables, quotations, rules, code,
 * emphasis and links. A parser of our own, since each character of the reply must stay known by its place
 * in it.
 */

/**
 * A text of the reply from `start` to `end`, and what stands around it, from the outside in.
 * @typedef {{start: number, end: number, marks: Mark[]}} Leaf
 * @typedef {{tag: "strong" | "em" | "s" | "code" | "a", href?: string}} Mark
 *
 * A block has the parts of the reply that are seen of it: a list its items, a table its cells, a quotation
 * its lines, a rule none, another its one text. `first` is an ordered list's first number, and `row` where a
 * table's row begins.
 * @typedef {{start: number, end: number, deep: boolean, bullet: boolean, row?: boolean}} Part
 * @typedef {{kind: "p" | "h" | "pre" | "ul" | "ol" | "table" | "blockquote" | "hr", start: number, first: number, parts: Part[]}} Block
 */

const FENCE = /^ {0,3}(```|~~~)/;
const ITEM = /^([ \t]*)(?:[-*+•]|(\d{1,9})[.)])[ \t]+(?=\S)/;
const HEADING = /^ {0,3}#{1,6}[ \t]+/;
const QUOTE = /^ {0,3}>[ \t]?/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/m;
/** What stands below a table's first row. */
const BELOW_HEAD = /^ {0,3}\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?)?[ \t]*$/m;

/** What stands within a line. Its length is bounded, so that a mark without its end costs little. */
const INLINE = new RegExp(
  [
    /\\(?<plain>[\\`*_[\]()#.!~|-])/u,
    /`(?<code>[^`\n]{1,300})`/u,
    /\*\*(?<strong>(?=\S)[\s\S]{1,600}?(?<=\S))\*\*(?!\*)/u,
    /~~(?<struck>(?=\S)[^~\n]{1,600}?(?<=\S))~~/u,
    /\*(?<em>(?=[^\s*])[^*]{1,600}?(?<=\S))\*/u,
    /(?<![\p{L}\p{N}_])_(?<under>(?=[^\s_])[^_]{1,600}?(?<=\S))_(?![\p{L}\p{N}_])/u,
    /!?\[(?<text>[^\]\n]{1,300})\]\((?<href>(?:https?:\/\/|mailto:)[^\s()]{1,1000})\)/u,
    /(?<url>https?:\/\/[^\s<>()]{1,1000}[^\s<>().,;:!?'"*_])/u,
  ]
    .map((part) => part.source)
    .join("|"),
  "dgu",
);

/** How a group of INLINE is shown; the others stay as they are. @type {Record<string, Mark["tag"]>} */
const TAGS = {
  code: "code",
  strong: "strong",
  em: "em",
  under: "em",
  struck: "s",
  text: "a",
  url: "a",
};

/**
 * The blocks of a reply, from a place on where one begins. Linear in the rest's length. What is added
 * at the reply's end changes the last of them alone.
 * @param {string} source
 * @param {number} from
 */
export function blocksOf(source, from = 0) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {Part | null} what the next line may belong to */
  let open = null;
  let fence = "";
  for (let start = from, end = from; start < source.length; start = end) {
    end = source.indexOf("\n", start) + 1 || source.length;
    const line = source.slice(start, end);
    const mark = FENCE.exec(line)?.[1];
    if (mark && (!fence || mark === fence)) {
      open = fence ? null : { start: end, end, deep: false, bullet: false };
      if (open) blocks.push({ kind: "pre", start, first: 1, parts: [open] });
      fence = fence ? "" : mark;
    } else if (fence && open) {
      open.end = end;
    } else if (!line.trim()) {
      open = null;
    } else {
      open = takeLine(blocks, open, source, start, end);
    }
  }
  return blocks;
}

/**
 * Take a line of text; returns the part that it belongs to, where another may follow.
 * @param {Block[]} blocks
 * @param {Part | null} open
 * @param {string} source
 * @param {number} start
 * @param {number} end
 */
function takeLine(blocks, open, source, start, end) {
  const line = source.slice(start, end);
  const last = blocks.at(-1);
  if (last?.kind === "p" && open && BELOW_HEAD.test(line)) {
    // The paragraph's last line was the table's head.
    const head = Math.max(open.start, source.lastIndexOf("\n", open.end - 2) + 1);
    if (head === open.start) blocks.pop();
    blocks.push({ kind: "table", start: head, first: 1, parts: cellsOf(source, head, open.end) });
    open.end = head;
    return open;
  }
  if (last?.kind === "table" && open) {
    last.parts.push(...cellsOf(source, start, end));
    return open;
  }
  const list = last?.kind === "ul" || last?.kind === "ol" ? last : null;
  const isRule = RULE.test(line);
  if (isRule) blocks.push({ kind: "hr", start, first: 1, parts: [] });
  if (isRule) return null;
  const item = ITEM.exec(line);
  const heading = HEADING.exec(line);
  const quote = QUOTE.exec(line);
  const [{ length: skipped } = ""] = item ?? heading ?? quote ?? [];
  const part = { start: start + skipped, end, deep: Boolean(item?.[1]), bullet: !item?.[2] };
  if (item) {
    const kind = item[2] ? "ol" : "ul";
    // An item that stands further in belongs to the list around it, whatever its own kind.
    if (list && (list.kind === kind || part.deep)) list.parts.push(part);
    else blocks.push({ kind, start, first: Number(item[2] ?? 1), parts: [part] });
    return part;
  }
  if (quote) {
    if (last?.kind === "blockquote" && open) last.parts.push(part);
    else blocks.push({ kind: "blockquote", start, first: 1, parts: [part] });
    return part;
  }
  if (heading) {
    blocks.push({ kind: "h", start, first: 1, parts: [part] });
    return null;
  }
  const indented = list && /^\s/.test(line) ? list.parts[list.parts.length - 1] : null;
  const before = open ?? indented;
  if (before) before.end = end;
  else blocks.push({ kind: "p", start, first: 1, parts: [part] });
  return before ?? part;
}

/**
 * The cells of a table's row.
 * @param {string} source
 * @param {number} start
 * @param {number} end
 */
function cellsOf(source, start, end) {
  const line = source.slice(start, end).trimEnd();
  const [before] = /** @type {RegExpExecArray} */ (/^\s*\|?/.exec(line));
  let place = start + before.length;
  return line
    .slice(before.length)
    .replace(/\|$/, "")
    .split(/(?<!\\)\|/)
    .map((text, index) => {
      const part = { start: place + text.search(/\S|$/), end: place + text.length };
      place += text.length + 1;
      return { ...part, deep: false, bullet: false, row: index === 0 };
    });
}

/**
 * The texts of a part, in order, without the marks between them.
 * @param {string} source
 * @param {Part | {start: number, end: number}} part
 * @param {Mark[]} marks what stands around all of it
 * @returns {Leaf[]}
 */
export function leavesOf(source, { start, end }, marks = []) {
  /** @type {Leaf[]} */
  const leaves = [];
  let at = 0;
  const plain = (/** @type {number} */ to) => {
    if (to > at) leaves.push({ start: start + at, end: start + to, marks });
  };
  for (const match of source.slice(start, end).matchAll(INLINE)) {
    const groups = match.groups ?? {};
    const name = Object.keys(groups).find((key) => groups[key] !== undefined) ?? "";
    const [from, to] = match.indices?.groups?.[name] ?? [0, 0];
    plain(match.index);
    at = match.index + match[0].length;
    const inner = { start: start + from, end: start + to };
    const tag = TAGS[name];
    const mark = tag === "a" ? { tag, href: groups.href ?? groups.url } : { tag };
    const around = tag ? [...marks, mark] : marks;
    if (["plain", "code", "url"].includes(name)) leaves.push({ ...inner, marks: around });
    else leaves.push(...leavesOf(source, inner, around));
  }
  plain(end - start);
  return leaves;
}
