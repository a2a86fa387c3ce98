/** Rows of the tables in `UX.md` §5, all of them as they stand there; the tests compare what the window says with them. Not part of the window. */
export const DOCUMENT = `
| MSG-PAIR-1 | word not in list (before sending) | I p | “clockwrk” isn't one of our words. Did you mean **clockwork**? · [Use it] |
| MSG-PAIR-2 | wrong code | I a | **That code didn't match.** Either a word is wrong, or the code was used or has run out. Nothing was shared. 2 tries left. · [Try again] [Ask for a new code] |
| MSG-PAIR-2b | owner's side, same event | T p | Someone at 192.168.1.31 tried your code with a wrong word. The code still works. · [New code] |
| MSG-PAIR-2c | third wrong try | I/T a | **This code is switched off** after three wrong tries. · [New code] *(owner)* / Ask Asha for a new one. *(guest)* |
| MSG-PAIR-3 | code expired | I p | This code ran out at 15:14. Ask for a new one. |
| MSG-PAIR-4 | asked, no answer 2 min | I p | Asha hasn't answered. She may be away. · [Ask again] [Use a code] |
| MSG-PAIR-5 | declined | I p | Asha can't let you in right now. |
| MSG-PAIR-6 | words reported different | D a | **The words are different, so this may not be Asha's computer.** We stopped. Nothing was shared. · [Close] [Use a code instead] |
| MSG-PAIR-7 | known person, new key | D a | **This is not the computer you know as “Bo”.** It has a new identity: a reinstall, a new laptop, or someone else. · [Don't let in] [Pair again with words] |
| MSG-PAIR-8 | folder for the copy is not empty | I p | ~/CodeSync/parser-lab already has files. · [Use “parser-lab-2”] [Choose…] |
| MSG-VER-1 | **peer version mismatch**, peer older | B/D p | **Bo's CodeSync is too old to edit with yours** (Bo 0.1 · you 0.3). You can both go on working; changes will merge after Bo updates. · [Copy update note for Bo] [Details] |
| MSG-VER-2 | I am older | B p | **Your CodeSync is too old to edit with Asha's** (you 0.1 · Asha 0.3). Your work is safe here and will merge after you update. · [How to update] |
| MSG-VER-3 | minor mismatch | Activity only | Bo uses 0.3.1; playing back your history may show fewer details there. |
| MSG-VER-4 | workspace written by a newer version | D p | **This workspace was last opened by CodeSync 0.4.** Version 0.3 could misread its history, so it stays untouched. · [How to update] [Open a copy of the files only] |
| MSG-NET-1 | nobody found 6 s | I p | **Nobody found yet.** Both computers need the same network, and guest or office Wi-Fi may hide them from each other. A code works even then if one can reach the other. · [Join with a code] [Why?] |
| MSG-NET-2 | VPN interface up | I p | A VPN is on (tun0). It can hide nearby computers. · [Check again] |
| MSG-NET-3 | macOS local network denied | I p | macOS isn't letting CodeSync see your local network. · [Open Privacy settings] |
| MSG-NET-4 | Windows profile Public | I p | Windows treats this network as public and hides you from others. · [Open network settings] |
| MSG-NET-5 | port busy | T p | Port 4870 is taken, so CodeSync uses 4871. People nearby still find you; typed addresses need “:4871”. |
| MSG-NET-6 | offline | P p | Offline. Everything is saved here and will sync later. |
| MSG-NET-7 | back | P p | Back online. |
| MSG-RELAY-1 | **relay unreachable** | T p + P | **Can't reach the relay relay.example.org.** You and people on this network are not affected. Lin (outside) will get your changes when it answers. Trying again in 30 s. · [Try now] [Relay settings] |
| MSG-RELAY-2 | relay refuses token | T p | The relay no longer accepts your sign-in. Local work goes on. · [Sign in again] |
| MSG-RELAY-3 | relay certificate/identity wrong | D a | **relay.example.org is not showing the identity it had before.** We did not connect. · [Stay off the relay] [Details] |
| MSG-DISK-1 | **disk full**, edit store cannot write | B a, stays | **This disk is full, so new changes can't be kept.** Everything up to 15:04:22 is safe. Free some space; we'll go on by ourselves. Until then the editor is read-only so that nothing is lost. · [Show what takes space] [Move the workspace…] |
| MSG-DISK-2 | < 500 MB left | T p | Only 480 MB left on this disk. History uses 212 MB. · [Compact history…] |
| MSG-DISK-3 | file can't be written (rights) | I/T a | main.rs is kept in CodeSync but could not be written to the folder: permission denied. · [Try again] [Show in folder] |
| MSG-DISK-4 | store damaged at start | D a | **Part of this workspace's history can't be read.** Your files are fine (checked 42 of 42). History from 3 Nov 14:02 on is available. A copy of the damaged part is kept. · [Open] [Details] |
| MSG-FILE-1 | **file too large** to share live (> 20 MB or > 300 000 lines) | B p | **big.log is 84 MB — too large to edit together.** You can read it here; others get it as a plain copy when it changes. · [Share as copy] [Don't share] |
| MSG-FILE-2 | **binary** | B p | logo.psd isn't text. It is synced whole, and its history has one moment per save. · [Open in its app] |
| MSG-FILE-3 | two people changed the same binary offline | T p | Both you and Bo changed logo.psd. Yours stays; Bo's is beside it as “logo (Bo 14:55).psd”. · [Compare] |
| MSG-FILE-4 | name not possible on someone's system | T p | “aux.c” can't exist on Bo's Windows computer; there it is called “aux_.c”. |
| MSG-FILE-5 | deleted here, edited there | I p | Bo deleted lexer.rs while you were editing it, so it stays. · [Keep] [Delete for everyone] |
| MSG-ROLE-1 | **viewer types** | I at the caret (Monaco readOnlyMessage) p | You're a viewer here. · [Ask to edit] |
| MSG-ROLE-2 | after asking / owner's toast | T p | Asked Asha. / Bo would like to edit. · [Make editor] [Not now] |
| MSG-ROLE-3 | role changed | T p | Asha made you an editor. / You're now a viewer. Changes you made before stay. |
| MSG-ROLE-4 | viewer presses Restore/Run | tooltip on the disabled button | Viewers can look at the past but not restore. · Ask Asha to become an editor. |
| MSG-ROLE-5 | edits made offline arrive after demotion | D p | **12 of your changes weren't accepted, because you became a viewer at 14:50.** They are kept in your copy as “My changes 15:20”. · [See them] [Ask Asha to take them] |
| MSG-PEER-1 | **I was removed** | B a, stays | **Asha removed you from “parser-lab”.** You keep the copy you have, up to 15:12; it no longer syncs. · [Keep working on my copy] [Close] |
| MSG-PEER-2 | remove confirm (owner) | D | **Remove Bo from “parser-lab”?** Bo stops getting changes now, and Bo's later changes won't come here. Bo keeps the copy already received — that can't be taken back. · [Cancel] [Remove Bo] |
| MSG-PEER-3 | someone left | Activity; T only if followed | Bo left. / You were following Bo, who left. |
| MSG-PEER-4 | same name twice | I p | There are two people called Bo. This one appears as “Bo (ThinkPad)”. |
| MSG-TL-1 | nothing before this | I p | This is the first moment we have of this file. |
| MSG-TL-2 | compacted range | I p | Keystrokes before 1 Sep were folded into moments; you can step between those. |
| MSG-TL-3 | restored text ≠ preview | D a | **The restore didn't give exactly the text you saw, so we took it back.** Nothing changed. · [Copy the old text] [Details] |
| MSG-TL-4 | editing key while in the past | I p | This is the past. · [Back to now] [Restore this] |
| MSG-UNDO-1 | undo target overwritten | status 2 s p | Nothing to undo here: Bo changed that text since. |
| MSG-MERGE-1 | merged | T p | see §3.8 |
| MSG-RUN-1 | program missing | I p | “cargo” isn't installed on this computer. · [Run on Asha's computer…] [Choose another command] |
| MSG-RUN-2 | runner went away | I p | Asha's computer went offline. Output up to 15:06:31 is kept. |
| MSG-CLIP-1 | copy failed | T a | Couldn't copy. Select the text and press Ctrl+C. |
| MSG-CRASH-1 | after a crash | T p | CodeSync closed unexpectedly. All changes up to 15:04:22 are here. · [Send nothing] [Copy report] |
`;
