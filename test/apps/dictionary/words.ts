// The dictionary's stock of words.
export const WORDS: Readonly<Record<string, string>> = {
  adapter: "a piece that lets two things meet which were made for different sockets",
  ambassador: "one who is sent abroad to speak for those who stay at home",
  anchor: "a hook of iron that makes a ship forget to leave",
  apple: "a round fruit, crisp in autumn and mealy by spring",
  apron: "a garment that takes the stains meant for another",
  atlas: "a book in which the whole world lies flat",
  barrel: "a cask of staves and hoops, emptied by degrees",
  beacon: "a light that says where, and leaves the why to others",
  bellows: "a bag that breathes for the fire",
  boat: "a hole in the water, kept open with effort",
  bridge: "the shortest way to change one's mind about a river",
  candle: "a clock that gives light",
  canoe: "a narrow boat that asks its crew to sit still",
  compass: "an instrument with one opinion, firmly held",
  dictionary: "a list of words explained by other words of the same list",
  drawer: "a box that hides its contents by being shut",
  echo: "an answer that has nothing to add",
  ferry: "a boat which is always on the other side",
  float: "to let the water do the carrying",
  garden: "an argument with the weeds, carried on outdoors",
  hammer: "a tool that sees few differences",
  harbour: "the place where a voyage becomes a story",
  hinge: "what makes a door out of a board",
  island: "land with a shore in every direction",
  kettle: "a vessel that announces its own success",
  ladder: "a stair that travels",
  lantern: "a candle with a coat on",
  map: "a drawing that is wrong on purpose, so that it fits the pocket",
  mast: "a tree that has gone to sea",
  needle: "the smallest spear in the house",
  oar: "a long lever, whose fulcrum is the boat and whose patience is yours",
  outrigger: "a float beside a boat, which steadies it without being part of it",
  paddle: "an oar that has let go of the boat",
  pilot: "one who knows the rocks by their first names",
  quay: "a street with water for a neighbour",
  rope: "a quarrel of fibres that all pull the same way",
  rudder: "the part of a ship that goes last and decides first",
  sail: "cloth that has learned to lean on the wind",
  shard: "a piece that remembers the pot",
  sidecar: "the seat beside, for a passenger who does not steer",
  tide: "the sea's habit of coming back for what it left",
  umbrella: "a roof for one, soon left on a train",
  wharf: "where the goods wait for the ship, or the other way round",
};

/** More words out of a file: a line each, `word = definition`; what begins with `;` is a remark. */
export function parseWords(text: string): Map<string, string> {
  const words = new Map<string, string>();
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith(";")) continue;
    const [, word, definition] = /^([a-z]+)\s*=\s*(\S.*)$/.exec(line) ?? [];
    if (word === undefined) throw new Error(`line ${at + 1}: expected word = definition, got ${line.slice(0, 40)}`);
    words.set(word, definition!);
  }
  return words;
}
