use super::*;

const PLAIN: Machine = Machine { has_render_node: true, has_nvidia_driver: false };

#[test]
fn a_plain_machine_is_left_alone() {
    assert!(environment(false, LastRun::Ended, &PLAIN).is_empty());
    assert!(environment(false, LastRun::Crashed, &PLAIN).is_empty());
}

#[test]
fn known_trouble_goes_without_dma_buffers() {
    let nvidia = Machine { has_nvidia_driver: true, ..PLAIN };
    let headless = Machine { has_render_node: false, ..PLAIN };
    for machine in [nvidia, headless] {
        assert_eq!(environment(false, LastRun::Ended, &machine), vec![("WEBKIT_DISABLE_DMABUF_RENDERER", "1")]);
    }
}

#[test]
fn a_window_that_never_appeared_is_tried_without_the_card() {
    assert_eq!(environment(false, LastRun::NeverDrawn, &PLAIN), environment(true, LastRun::Ended, &PLAIN));
    assert_eq!(environment(true, LastRun::Ended, &PLAIN).len(), 3);
}
