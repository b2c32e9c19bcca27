;; Prints what festival's front end makes of texts, without synthesis. Texts come from the file named by the variable
;; `texts_file`, one a line as (N "text"). Output: "#U N", "#T token", "#W word phones" and the full-context labels.
(voice_cmu_us_slt_arctic_hts)
(defSynthType HTS utt)

(define (word_phones w)
  (let ((n ""))
    (mapcar
     (lambda (syl)
       (mapcar (lambda (seg) (set! n (string-append n " " (item.name seg)))) (item.daughters syl)))
     (item.daughters (item.relation w 'SylStructure)))
    n))

(define (dump_token tok)
  (format t "#T %s\n" (item.name tok))
  (mapcar (lambda (w) (format t "#W %s%s\n" (item.name w) (word_phones w))) (item.daughters tok)))

(define (dump_utterance id txt)
  (let ((u (eval (list 'Utterance 'Text txt))) (tok nil))
    (utt.synth u)
    (format t "#U %d\n" id)
    (set! tok (utt.relation.first u 'Token))   ; the roots only: utt.relation.items would list the words as well
    (while tok
      (dump_token tok)
      (set! tok (item.next tok)))
    (mapcar (lambda (s) (format t "%s" (hts_feats_output_string s))) (utt.relation.items u 'Segment))))

(let ((fd (fopen texts_file "r")) (e nil))
  (while (not (equal? (set! e (readfp fd)) (eof-val)))
    (unwind-protect (dump_utterance (car e) (cadr e)) (format t "#E\n")))
  (fclose fd))
(format t "#Z\n")
